use jobq::job;

#[job]
async fn count(#[state] user_id: u64) {
    drop(user_id);
}

fn main() {}
