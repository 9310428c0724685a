use jobq::Job;

#[derive(Job)]
#[job(queues = "money")]
struct Charge {
    order: u64,
}

fn main() {}
