use jobq::job;

#[job(backoff = "exponental")]
fn send(user_id: &str) {
    drop(user_id);
}

fn main() {}
