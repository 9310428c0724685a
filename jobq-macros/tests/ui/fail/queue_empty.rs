use jobq::job;

#[job(queue = "")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
