// Loaded into each app: when the stack is gone (kill -9), the app drains and ends instead of holding its port.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
