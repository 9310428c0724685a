use jobq::Job;

#[derive(Job)]
struct Charge<'a> {
    order: &'a str,
}

fn main() {}
