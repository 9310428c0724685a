use jobq::Job;

#[derive(Job, serde::Serialize)]
struct Charge {
    order: u64,
}

fn main() {}
