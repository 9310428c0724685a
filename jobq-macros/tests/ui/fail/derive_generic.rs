use jobq::Job;

#[derive(Job)]
struct Charge<T> {
    order: T,
}

fn main() {}
