use jobq::job;

#[job]
async fn send(users: &[u64]) {
    drop(users);
}

fn main() {}
