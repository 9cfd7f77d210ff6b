# syntax=docker/dockerfile:1
# One image for every service: docker build --build-arg APP=ledger -t atelier/ledger .

# Only what npm reads, so that a change of code leaves the layers of both installs as they are.
FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /src
COPY package.json package-lock.json ./
COPY apps apps
COPY libs libs
COPY tools tools
RUN find apps libs tools -type f ! -name package.json -delete

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY --from=manifests /src ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY apps apps
COPY libs libs
COPY tools tools
RUN node tools/stack/build.mjs

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /src
COPY --from=manifests /src ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
ARG APP
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /srv
COPY --from=dependencies /src/node_modules node_modules
COPY --from=build /src/libs libs
COPY --from=build /src/apps/${APP} apps/app
USER 1000:1000
# Tracing loads nothing unless an OTEL_… variable asks for it. kafkajs asks for timers in the past; Node warns of each.
CMD ["node", "--enable-source-maps", "--disable-warning=TimeoutNegativeWarning", "--import", "@atelier/observability/register", "apps/app/dist/main.js"]
