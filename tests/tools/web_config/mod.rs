//! `--web.config.file` beside Prometheus' own tools.

mod scraping;
mod verdicts;
