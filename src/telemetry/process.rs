//! What the system knows of this process: the metrics that most exporters have.
//!
//! All of it is as of the scrape. Reading costs one file of `/proc`, which stays open, and three calls of the system.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::exposition::{Kind, OwnFamily, Value};

/// Where to read it.
#[derive(Debug)]
pub(super) struct Process {
    /// `/proc/self/stat`; `None` without `/proc`.
    stat: Option<File>,
    /// `/proc/self/fd`.
    descriptors: Option<File>,
    /// In seconds since 1970; 0 if that cannot be known.
    start_time: u64,
}

/// What was read.
#[derive(Debug)]
pub(super) struct ProcessFigures {
    cpu_millis: i64,
    max_descriptors: Option<u64>,
    open_descriptors: u64,
    resident_bytes: u64,
    start_time: u64,
    threads: u64,
    virtual_bytes: u64,
}

/// Longer than the file ever is: 52 numbers and a name.
const LONGEST_STAT: usize = 2_048;

impl Process {
    /// This process.
    pub(super) fn this() -> Self {
        let stat = File::open("/proc/self/stat").ok();
        let started = stat.as_ref().and_then(Stat::read).map(|stat| stat.start_ticks);
        let start_time = started.and_then(|ticks| Some(boot_time()? + ticks / clock_ticks_per_second()));
        Self { stat, descriptors: File::open("/proc/self/fd").ok(), start_time: start_time.unwrap_or(0) }
    }

    /// How it is now.
    pub(super) fn read(&self) -> ProcessFigures {
        let stat = self.stat.as_ref().and_then(Stat::read).unwrap_or_default();
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        ProcessFigures {
            cpu_millis: cpu.tv_sec * 1_000 + cpu.tv_nsec / 1_000_000,
            max_descriptors: getrlimit(Resource::Nofile).current,
            open_descriptors: self.open_descriptors(),
            resident_bytes: stat.resident_pages * u64::try_from(page_size()).unwrap_or(0),
            start_time: self.start_time,
            threads: stat.threads,
            virtual_bytes: stat.virtual_bytes,
        }
    }

    /// Since Linux 6.2 the directory's size is their number; before that they have to be listed.
    fn open_descriptors(&self) -> u64 {
        let size =
            self.descriptors.as_ref().and_then(|directory| directory.metadata().ok()).map_or(0, |all| all.size());
        if size > 0 {
            return size;
        }
        // The list is read through one more of them.
        let listed = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        u64::try_from(listed).unwrap_or(0).saturating_sub(1)
    }
}

/// What `/proc/self/stat` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stat {
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn read(file: &File) -> Option<Self> {
        let mut text = [0; LONGEST_STAT];
        let length = file.read_at(&mut text, 0).ok()?;
        Self::parse(std::str::from_utf8(&text[..length]).ok()?)
    }

    /// Source: proc_pid_stat(5). Fields are counted from 1; the second is a name in brackets, which may hold anything.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let mut number = |skipped| fields.nth(skipped)?.parse().ok();
        Some(Self {
            // Fields 20, 22, 23, 24; the first after the name is 3.
            threads: number(17)?,
            start_ticks: number(1)?,
            virtual_bytes: number(0)?,
            resident_pages: number(0)?,
        })
    }
}

/// When the system started, in seconds since 1970. Source: proc_stat(5).
fn boot_time() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Every family, in the order of their names.
pub(super) const FAMILIES: &[OwnFamily<ProcessFigures>] = &[
    OwnFamily {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Total user and system CPU time spent in seconds.",
        samples: |series, process| series.put(Value::Millis(process.cpu_millis)),
    },
    OwnFamily {
        name: "process_max_fds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Maximum number of open file descriptors.",
        samples: |series, process| series.put_opt(process.max_descriptors.map(Value::Count)),
    },
    OwnFamily {
        name: "process_open_fds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Number of open file descriptors.",
        samples: |series, process| series.put(Value::Count(process.open_descriptors)),
    },
    OwnFamily {
        name: "process_resident_memory_bytes",
        kind: Kind::Gauge,
        labels: &[],
        help: "Resident memory size in bytes.",
        samples: |series, process| series.put(Value::Count(process.resident_bytes)),
    },
    OwnFamily {
        name: "process_start_time_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Start time of the process since unix epoch in seconds.",
        samples: |series, process| series.put(Value::Count(process.start_time)),
    },
    OwnFamily {
        name: "process_threads",
        kind: Kind::Gauge,
        labels: &[],
        help: "Number of OS threads in the process.",
        samples: |series, process| series.put(Value::Count(process.threads)),
    },
    OwnFamily {
        name: "process_virtual_memory_bytes",
        kind: Kind::Gauge,
        labels: &[],
        help: "Virtual memory size in bytes.",
        samples: |series, process| series.put(Value::Count(process.virtual_bytes)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_the_order_of_their_names() {
        assert!(FAMILIES.is_sorted_by_key(|family| family.name));
    }

    #[test]
    fn a_name_that_looks_like_more_fields_is_a_name() {
        // Made up, in the form of proc_pid_stat(5).
        let text =
            "7 (a) 9 (b 1) S 1 7 7 0 -1 4194304 100 0 0 0 12 3 0 0 20 0 5 0 4242 9000000 1500 18446744073709551615 1 1";
        let expected = Stat { threads: 5, start_ticks: 4242, virtual_bytes: 9_000_000, resident_pages: 1_500 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 1 7"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_process_is_as_the_system_says() {
        let process = Process::this();
        let held = [File::open("/proc/self/stat"), File::open("/proc/self/stat")];
        let figures = process.read();
        assert!(figures.open_descriptors >= 5 && held.iter().all(Result::is_ok), "{figures:?}");
        assert!(figures.threads >= 2 && figures.max_descriptors > Some(5), "{figures:?}");
        assert!(figures.resident_bytes > 1 << 20 && figures.virtual_bytes >= figures.resident_bytes, "{figures:?}");
        let started = i64::try_from(figures.start_time).expect("a date");
        let age = crate::clock::now().as_millis() / 1_000 - started;
        assert!((-2..24 * 60 * 60).contains(&age), "{age} s");
    }
}
