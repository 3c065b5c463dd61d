/**
 * Settings that native engines read from the environment of the process when they start.
 *
 * @module
 */

/**
 * Sets what TensorFlow reads: its threads, and that it does not log its start to standard error. Call on the main thread
 * before a worker starts, since a worker's `process.env` is a copy that native code does not see. What the user has set
 * stays as it is; the other engines do not read it.
 */
export function prepareEnvironment(threads: number | null): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (threads === null) return;
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
}
