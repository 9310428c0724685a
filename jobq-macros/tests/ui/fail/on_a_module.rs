use jobq::job;

#[job]
mod jobs {}

fn main() {}
