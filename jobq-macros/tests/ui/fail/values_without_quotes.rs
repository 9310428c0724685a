use jobq::job;

#[job(backoff = linear, timeout = 10m, queue = mail)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
