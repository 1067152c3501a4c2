/**
 * Test support: a Worker that lives on, and never says that it is ready.
 */
setInterval(() => undefined, 60_000);
