import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The real Kafka Streams with the topologies of topologies.ts and table-topologies.ts: it goes on where Millrace stopped, and Millrace where it stopped.
 *
 * Arguments: brokers, application id, state directory, topology, prefix of the topics. Prints its states, ends when its input ends.
 */
public final class KafkaStreamsPeer {
  private static final Serde<String> TEXT = Serdes.String();

  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");

    StreamsBuilder builder = new StreamsBuilder();
    build(builder, args[3], args[4]);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setStateListener((now, before) -> System.out.println("STATE " + now));
    streams.start();
    while (System.in.read() >= 0) { }
    boolean closed =
        streams.close(
            CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                .withTimeout(Duration.ofSeconds(120)));
    System.exit(closed ? 0 : 1);
  }

  private static void build(StreamsBuilder builder, String topology, String prefix) {
    switch (topology) {
      case "dslCounting":
        input(builder, prefix + "input")
            .groupByKey(Grouped.with(TEXT, TEXT))
            .count(Materialized.as("counts"))
            .toStream()
            .to(prefix + "output", Produced.with(TEXT, Serdes.Long()));
        return;
      case "windowedCounting":
        input(builder, prefix + "input")
            .groupByKey(Grouped.with(TEXT, TEXT))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofDays(1)))
            .count(Materialized.as("counts"))
            .toStream()
            .map((key, count) -> KeyValue.pair(key.key(), key.window().start() + "=" + count))
            .to(prefix + "output", Produced.with(TEXT, TEXT));
        return;
      case "leftJoining":
        input(builder, prefix + "left")
            .leftJoin(
                input(builder, prefix + "right"),
                (left, right) -> left + "+" + (right == null ? "none" : right),
                JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMinutes(1), Duration.ofMinutes(5)),
                StreamJoined.with(TEXT, TEXT, TEXT).withStoreName("pairs"))
            .to(prefix + "output", Produced.with(TEXT, TEXT));
        return;
      case "referring":
        KTable<String, String> named =
            builder.table(prefix + "input", Consumed.with(TEXT, TEXT))
                .leftJoin(
                    builder.table(prefix + "customers", Consumed.with(TEXT, TEXT)),
                    (String order) -> order.split(":")[0],
                    (order, name) -> order.split(":")[1] + " for " + (name == null ? "nobody" : name),
                    TableJoined.as("refer"),
                    Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("named").withValueSerde(TEXT));
        named.toStream().to(prefix + "output", Produced.with(TEXT, TEXT));
        named
            .groupBy((order, text) -> KeyValue.pair(text.split(" for ")[1], text), Grouped.with("by-name", TEXT, TEXT))
            .count(Materialized.as("per-name"))
            .toStream()
            .to(prefix + "counts", Produced.with(TEXT, Serdes.Long()));
        return;
      default:
        throw new IllegalArgumentException("no topology " + topology);
    }
  }

  private static KStream<String, String> input(StreamsBuilder builder, String topic) {
    return builder.stream(topic, Consumed.with(TEXT, TEXT));
  }
}
