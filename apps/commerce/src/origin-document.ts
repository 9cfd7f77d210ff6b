import mongoose from 'mongoose';

/** An embedded document: without an id of its own, and as strict as what it is part of. */
export const embedded = (fields: mongoose.SchemaDefinition) =>
  new mongoose.Schema(fields, { _id: false, strict: 'throw' });

/** The story that an aggregate belongs to, as its document keeps it. */
export const originSchema = embedded({
  correlationId: { type: String, required: true },
  traceparent: { type: String },
});
