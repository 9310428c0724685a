use jobq::Job;

#[derive(Job)]
struct Charge(u64);

fn main() {}
