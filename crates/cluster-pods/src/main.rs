//! The program; see the library.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    cluster_pods::run(std::env::args().skip(1)).await
}
