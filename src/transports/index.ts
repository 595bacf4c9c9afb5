export {
  type BinaryCloudEvent,
  type CloudEventAttributes,
  type CloudEventOptions,
  type StructuredCloudEvent,
  toCloudEvent,
} from "./cloud-event.ts";
export { BrokerUnavailableError, MissingPackageError, TransportClosedError, TransportTimeoutError } from "./errors.ts";
export { type FunctionTransportOptions, functionTransport, type SendFunction } from "./function.ts";
export { type KafkaTransportOptions, kafkaTransport } from "./kafka.ts";
export {
  type KafkaClient,
  type KafkaConsumeOptions,
  type KafkaProducer,
  type KafkaReading,
  type KafkaRecord,
  KafkaUnavailableError,
  type ReceivedKafkaRecord,
} from "./kafka-client.ts";
export { type KafkaConnectionOptions, platformaticClient } from "./kafka-platformatic.ts";
export {
  type AsyncPublisher,
  type AsyncPublisherOptions,
  type AsyncPublisherStatus,
  createAsyncPublisher,
} from "./publish-async.ts";
export {
  type RabbitmqTransportOptions,
  RejectedByBrokerError,
  rabbitmqTransport,
  UnroutableError,
} from "./rabbitmq.ts";
export { type InOrderOptions, sendInOrder } from "./send-in-order.ts";
export type { NotSent, OutboundMessage, SendContext, SendOutcome, Sent, Transport } from "./transport.ts";
export { WebhookRefusedError, type WebhookTransportOptions, webhookTransport } from "./webhook.ts";
export {
  type ReceivedWebhook,
  signWebhook,
  verifyWebhook,
  type WebhookHeaders,
  WebhookVerificationError,
} from "./webhook-signature.ts";
