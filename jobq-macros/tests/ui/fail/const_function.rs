use jobq::job;

#[job(blocking)]
const fn send() {}

fn main() {}
