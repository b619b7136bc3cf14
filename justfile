# The developer's commands: `just` lists them. Each calls what also works without just.

_default:
    @just --list

# Compile everything, tests included
check:
    cargo check --workspace --all-targets

# The fast tests: nothing but Rust is needed
test *filter:
    cargo test --workspace {{ filter }}

# All tests, as in CI: installs what they need (Debian on x86-64, as root)
test-all:
    scripts/test

# Format and lints, as CI demands them
lint:
    cargo fmt --check
    cargo clippy --locked --workspace --all-targets -- --deny warnings

# Format the sources
fmt:
    cargo fmt

# The exporter against a simulated Cotalker: http://localhost:10942/
demo *flags:
    cargo run --release -- demo {{ flags }}

# The demo with Prometheus and Grafana: http://localhost:3000/
compose:
    docker compose -f deploy/compose/compose.yaml up --build

# The benchmarks
bench *filter:
    cargo bench {{ filter }}

# The readers of log entries against each other and serde_json, on cases of chance
fuzz cases="10000000":
    FUZZ_CASES={{ cases }} cargo test --release --test fuzz cases_of_chance -- --nocapture

# Links, test names and citations in the documentation
docs:
    cargo test --test docs

# Regenerate the tables in docs/flags.md and docs/metrics.md
docs-tables:
    UPDATE_DOCS=1 cargo test --test it docs

# The documentation of the code
rustdoc:
    cargo doc --workspace --no-deps

# The alert rules (needs promtool)
rules:
    promtool check rules deploy/prometheus/rules.yml
    promtool test rules deploy/prometheus/rules*_test.yml

# The Kubernetes manifests: Helm and kustomize
manifests:
    scripts/test-manifests

# Scrapers other than Prometheus
scrapers:
    scripts/test-scrapers

# The dashboard; `just dashboard --write` regenerates it from its source
dashboard *flags:
    scripts/test-dashboard {{ flags }}

# The pages in a browser; `UPDATE_PICTURES=1 just page` takes the pictures of the documentation anew
page:
    scripts/test-page
