use jobq::Job;

#[derive(Job)]
struct Charge {
    order: Order,
}

struct Order;

fn main() {}
