use jobq::job;

#[job(base_delay = "10m")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
