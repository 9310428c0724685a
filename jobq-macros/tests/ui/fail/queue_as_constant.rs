use jobq::job;

#[job(queue = MAIL)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
