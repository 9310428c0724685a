//! What a store is asked when something is wrong, or may become so.

use async_trait::async_trait;

use super::facts::{KeyFacts, Owned, QueueFacts, Role, ServerFacts, Upkeep};
use crate::error::BrokerError;
use crate::id::{QueueName, WorkerId};

/// Questions about the store itself and about how queues lie in it, and what it can be told to do
/// for its own files. None moves a job, and none holds the store for long. A store within this
/// process has nothing to say: that is what each does unless a broker knows better.
#[async_trait]
pub trait Examine {
    /// What the server says of itself; `None` where there is no server. What this user may not
    /// know is left out.
    async fn examine(&self) -> Result<Option<ServerFacts>, BrokerError> {
        Ok(None)
    }

    /// How the keys of a queue lie in the server; `None` where there is none. That this user may not
    /// ask for their types, their lengths or the members is an error, which names the right; what they
    /// take and how they are encoded is left out.
    async fn examine_queue(&self, _queue: &QueueName) -> Result<Option<QueueFacts>, BrokerError> {
        Ok(None)
    }

    /// How the keys of the namespace that belong to no queue lie in the server: the names of its queues,
    /// and what workers tell of themselves. That this user may not ask is an error.
    async fn examine_namespace(&self) -> Result<Vec<KeyFacts>, BrokerError> {
        Ok(Vec::new())
    }

    /// One step of a scan for workers that own in-flight records or a handoff on any queue of the
    /// namespace, members or not. `cursor` 0 begins; a returned cursor of 0 is the end. One may
    /// come twice.
    async fn all_owners(
        &self,
        _cursor: u64,
    ) -> Result<(u64, Vec<(QueueName, WorkerId)>), BrokerError> {
        Ok((0, Vec::new()))
    }

    /// How much each of these workers owns on a queue. That this user may not ask is an error.
    async fn owned(
        &self,
        _queue: &QueueName,
        _workers: &[WorkerId],
    ) -> Result<Vec<Owned>, BrokerError> {
        Ok(Vec::new())
    }

    /// What this login may not do of what a role does on a queue: commands with their keys. A
    /// broker without logins lets everyone.
    async fn missing_rights(
        &self,
        _role: Role,
        _queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        Ok(Vec::new())
    }

    /// The rules that would give this login what it lacks of the rights of a role, as the server takes
    /// them: for Redis, words of `ACL SETUSER`, commands first.
    async fn missing_rules(
        &self,
        _role: Role,
        _queue: &QueueName,
    ) -> Result<Vec<String>, BrokerError> {
        Ok(Vec::new())
    }

    /// Has the server begin something for its own files, and answers whether it did: not if that
    /// is under way already, or if there is no server.
    async fn begin(&self, _upkeep: Upkeep) -> Result<bool, BrokerError> {
        Ok(false)
    }
}
