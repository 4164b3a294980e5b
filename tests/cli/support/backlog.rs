//! Makes ledgers with many open jobs by copying one, so that no test waits for thousands of POSTs.

use super::Operator;

impl Operator {
    /// Submits a deletion and gives its request `count` jobs with the tasks `task-1`, `task-2`, ….
    /// Each was asked about a day ago and is due, the later ones later.
    pub(crate) fn with_open_jobs(&self, count: usize) -> String {
        let args = ["delete", "--gdpr", "--yes", "--json", "user-17"];
        let outcome = self.run(&args);
        let id = outcome.exits_with(0).request()["id"].clone();
        self.change_ledger(&format!(
            "UPDATE jobs SET task_id = 'task-1', mixpanel_status = 'PENDING',
                 submitted_at = '2026-01-02T03:04:05.000Z',
                 checked_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day'),
                 next_check = '2026-01-02T03:00:00.000001Z';
             WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO jobs (request, number, subject_request_id, ids_count, state, task_id,
                 attempts, mixpanel_status, submitted_at, checked_at, next_check)
             SELECT request, i, subject_request_id, 1, 'accepted', 'task-' || i, 1, 'PENDING',
                 submitted_at, checked_at, printf('2026-01-02T03:00:00.%06dZ', i)
             FROM jobs, n WHERE i <= {count};"
        ));
        id.as_str().expect("a request has an id").to_owned()
    }

    pub(crate) fn make_due(&self) {
        self.tamper_with(
            "UPDATE jobs SET next_check = '2026-01-02T03:04:05.000Z' WHERE next_check IS NOT NULL",
        );
    }
}
