use jobq::job;

#[job(crate = 7)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
