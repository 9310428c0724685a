use jobq::job;

#[job]
async fn send(email: &str) {
    drop(email);
}

fn main() {}
