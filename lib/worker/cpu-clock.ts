/**
 * Tells how much CPU time this thread has used. The one place on the guest's side that looks at `process`: it reads two counters of the
 * operating system, and nothing that a guest can reach goes through it.
 */

/**
 * Reads the CPU time of this thread, in whole microseconds since it began. Takes about as long as one of them.
 *
 * Source: getrusage(2), RUSAGE_THREAD.
 */
export function threadCpuMicroseconds(): number {
  // Linux brings a thread's counter up to date at the clock's ticks, some milliseconds apart, and when the whole process is asked about.
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
