use jobq::job;

#[job]
async fn count() -> u64 {
    7
}

fn main() {}
