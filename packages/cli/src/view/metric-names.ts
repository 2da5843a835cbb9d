/** The series that the view reads; one that nobody writes is left out of the picture. */
export const metricNames = {
  recordsIn: 'millrace_task_records_processed_total',
  recordsOut: 'millrace_task_records_sent_total',
  dropped: 'millrace_task_records_dropped_total',
  commits: 'millrace_worker_commits_total',
  lag: 'millrace_task_lag_records',
} as const;
