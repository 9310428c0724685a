use jobq::job;

#[job]
fn send() {}

fn main() {}
