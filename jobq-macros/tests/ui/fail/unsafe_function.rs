use jobq::job;

#[job]
async unsafe fn send() {}

fn main() {}
