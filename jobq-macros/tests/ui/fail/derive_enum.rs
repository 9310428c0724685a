use jobq::Job;

#[derive(Job)]
enum Charge {
    Now,
}

fn main() {}
