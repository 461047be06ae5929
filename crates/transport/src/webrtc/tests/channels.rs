//! A data channel without a stream around it, to send what a stream never would.

use futures::{StreamExt, channel::mpsc};

use crate::{
    js::{DataChannel, Event, Listener},
    webrtc::Connection,
};

pub fn raw(connection: &Connection) -> DataChannel {
    connection.pc().create_data_channel("").unwrap()
}

/// Waits until the channel is open.
pub async fn opened(channel: &DataChannel) {
    let (mut open, mut is_open) = mpsc::channel(1);
    let _on_open = Listener::new(channel, "open", move |_: Event| drop(open.try_send(())));
    if channel.ready_state() != "open" {
        is_open.next().await;
    }
}
