use jobq::Job;

#[derive(Job)]
union Charge {
    order: u64,
}

fn main() {}
