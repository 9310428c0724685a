use jobq::job;

#[job]
async fn send(_: u64) {}

fn main() {}
