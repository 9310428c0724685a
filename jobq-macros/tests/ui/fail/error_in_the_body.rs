use jobq::job;

#[job]
async fn send(user_id: u64) {
    let name: String = user_id;
    drop(name);
}

fn main() {}
