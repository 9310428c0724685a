use jobq::job;

#[job]
async fn send(#[arg] #[state] user_id: u64) {
    drop(user_id);
}

fn main() {}
