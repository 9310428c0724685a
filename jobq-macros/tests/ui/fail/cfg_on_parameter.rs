use jobq::job;

#[job]
async fn send(#[cfg(unix)] user_id: u64) {
    drop(user_id);
}

fn main() {}
