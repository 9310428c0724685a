use jobq::Job;

#[derive(Job)]
#[job(blocking)]
struct Charge {
    order: u64,
}

fn main() {}
