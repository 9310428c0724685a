use jobq::job;

#[job(max_delay = "18446744073709551615d")]
async fn send(user_id: u64) {
    drop(user_id);
}

fn main() {}
