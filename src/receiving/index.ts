export { type Delivery, type InboundMessage, NotACloudEventError, parseDelivery } from "./inbound-message.ts";
export { type KafkaConsumer, type KafkaConsumerOptions, kafkaConsumer } from "./kafka-consumer.ts";
export type { ConsumerStatus } from "./options.ts";
export type { ReceiveContext, ReceiveOptions } from "./process-message.ts";
export { type ProcessOnceOptions, processOnce } from "./process-once.ts";
export { type RabbitmqConsumer, type RabbitmqConsumerOptions, rabbitmqConsumer } from "./rabbitmq-consumer.ts";
export type { RabbitmqQueueOptions } from "./rabbitmq-queue.ts";
