use jobq::Job;

#[derive(Job)]
struct Charge {
    order: &'static str,
}

fn main() {}
