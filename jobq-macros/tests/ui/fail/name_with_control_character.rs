use jobq::job;

#[job(name = "a\nb")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
