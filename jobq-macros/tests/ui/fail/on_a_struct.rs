use jobq::job;

#[job]
struct Send {
    user_id: u64,
}

fn main() {}
