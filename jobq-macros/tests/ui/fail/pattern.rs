use jobq::job;

#[job]
async fn send((from, to): (u64, u64)) {
    drop((from, to));
}

fn main() {}
