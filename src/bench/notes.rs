//! How to read the results; printed with them.

/// What was compared with what, and who had it easier.
pub const NOTES: [&str; 10] = [
    "ratio: right answers of the server over calls of pgbench in the same round, one after the other in random order \
     on the same database at the same concurrency; the median of the rounds' ratios",
    "pgbench makes one call of the same SQL function with prepared statements, in the server's own login; it computes \
     ids in its script, stores a constant and neither authenticates nor seals nor opens nor logs nor speaks HTTP",
    "pgbench warms up too: its first second (three with 256 clients), in which fresh backends compile their functions, \
     does not count",
    "hand-out-batched is compared with the same function without its audit row; a change of an auth config with the \
     read and the change in one statement, of which the server makes two calls",
    "a call of pgbench that finds its row locked answers `busy` and counts; the server waits and writes",
    "the server works on one half of every tenant's connections, pgbench on the other, and each on auth configs of its \
     own: pgbench stores bytes that do not open",
    "every answer was checked: for a hand-out row, generation and all bytes of the credential; connections write to \
     rows of their own, so that it is known what lies in each",
    "after each cell of set-auth 1,024 of the written rows are handed out and compared with what was written last; a \
     difference counts as a failure of that cell",
    "CPU is of the whole process in the measured time, Postgres with all its children; foreign CPU is the most of any \
     round, of all cores",
    "full_page_writes and fsync are on; checkpoints are rare (30 min, 8 GB), so a run starts with many full-page \
     images; 256 log segments were made beforehand, as they are there where a server has run for a while",
];
