use jobq::job;

#[job(factor = f64::NAN)]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
