import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Messages as Kafka's generated classes write them, with the same content as JSON by Kafka's own converters.
 * Each is made from the schema: once with everything filled in, once as empty as the schema allows.
 */
final class GoldenMessages {
    /** API key, first and last version: what packages/wire/src/messages describes. */
    private static final int[][] APIS = {
        {0, 3, 12}, {1, 4, 13}, {2, 1, 7}, {3, 0, 12}, {8, 2, 9}, {9, 1, 9}, {10, 0, 4}, {11, 0, 9}, {12, 0, 4}, {13, 0, 5},
        {14, 0, 5}, {15, 0, 5}, {16, 0, 4}, {17, 0, 1}, {18, 0, 4}, {19, 2, 7}, {20, 1, 6}, {21, 0, 2}, {22, 0, 5}, {23, 2, 4},
        {24, 0, 3}, {25, 0, 4}, {26, 0, 5}, {28, 0, 5}, {32, 1, 4}, {33, 0, 2}, {36, 0, 2}, {37, 0, 3}, {42, 0, 2}, {44, 0, 1},
        {47, 0, 0}, {60, 0, 1}, {65, 0, 0}, {66, 0, 1},
        {88, 0, 0}, {89, 0, 0},
    };
    /** What stands in every field of type "records"; Kafka's JSON leaves it out. */
    private static final byte[] RECORDS = {1, 2, 3, 4, 5};

    private int counter = 0;
    private final boolean full;

    private GoldenMessages(boolean full) {
        this.full = full;
    }

    static List<JsonNode> all() throws Exception {
        List<JsonNode> cases = new ArrayList<>();
        for (int[] api : APIS) {
            ApiMessageType type = ApiMessageType.fromApiKey((short) api[0]);
            for (short version = (short) api[1]; version <= api[2]; version++) {
                for (boolean request : new boolean[] {true, false}) {
                    Schema schema = (request ? type.requestSchemas() : type.responseSchemas())[version];
                    if (schema == null) throw new IllegalStateException(type + " has no version " + version);
                    for (boolean full : new boolean[] {true, false}) {
                        ApiMessage message = request ? type.newRequest() : type.newResponse();
                        cases.add(one(type, version, request, full, schema, message));
                    }
                }
            }
        }
        return cases;
    }

    private static JsonNode one(ApiMessageType type, short version, boolean request, boolean full, Schema schema, ApiMessage message)
            throws Exception {
        Struct struct = new GoldenMessages(full).fill(schema);
        ByteBuffer made = ByteBuffer.allocate(schema.sizeOf(struct));
        schema.write(made, struct);
        made.flip();
        message.read(new ByteBufferAccessor(made), version);
        byte[] bytes = bytesOf(message, version);
        Class<?> data = message.getClass();
        JsonNode json = (JsonNode) Class.forName(data.getName() + "JsonConverter")
            .getMethod("write", data, short.class, boolean.class).invoke(null, message, version, true);
        ObjectNode node = Golden.JSON.createObjectNode();
        node.put("api", type.name).put("version", version).put("direction", request ? "request" : "response");
        node.put("content", full ? "full" : "sparse").put("hex", Golden.hex(bytes)).set("json", json);
        return node;
    }

    private static byte[] bytesOf(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private Struct fill(Schema schema) {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields()) struct.set(field, valueOf(field.def.type, field.def.name));
        return struct;
    }

    private Object valueOf(Type type, String name) {
        counter++;
        if (type instanceof TaggedFields) return tags((TaggedFields) type);
        if (!full && type.isNullable()) return null;
        Optional<Type> element = type.arrayElementType();
        if (element.isPresent()) {
            if (!full) return new Object[0];
            return new Object[] {valueOf(element.get(), name), valueOf(element.get(), name)};
        }
        if (type instanceof Schema) return fill((Schema) type);
        String kind = type.toString();
        switch (kind) {
            case "BOOLEAN": return full;
            case "INT8": return (byte) (counter % 100);
            case "INT16": return (short) (1000 + counter);
            case "UINT16": return 40000 + counter;
            case "INT32": return 100_000 * counter;
            case "UINT32": return 3_000_000_000L + counter;
            case "INT64": return (1L << 40) * (counter % 2 == 0 ? counter : -counter) + counter;
            case "FLOAT64": return counter / 4.0;
            case "UUID": return new Uuid(0x0123456789abcdefL + counter, 0xfedcba9876543210L - counter);
            case "STRING": case "COMPACT_STRING": case "NULLABLE_STRING": case "COMPACT_NULLABLE_STRING":
                return name + "-ü-" + counter;
            case "BYTES": case "COMPACT_BYTES": case "NULLABLE_BYTES": case "COMPACT_NULLABLE_BYTES":
                return ByteBuffer.wrap(new byte[] {(byte) counter, 0, -1});
            case "RECORDS": case "COMPACT_RECORDS": case "NULLABLE_RECORDS": case "COMPACT_NULLABLE_RECORDS":
                return MemoryRecords.readableRecords(ByteBuffer.wrap(RECORDS));
            default: throw new IllegalStateException("type " + kind + " of " + name);
        }
    }

    private NavigableMap<Integer, Object> tags(TaggedFields type) {
        NavigableMap<Integer, Object> values = new TreeMap<>();
        if (!full) return values;
        for (Map.Entry<Integer, Field> entry : type.fields().entrySet()) {
            values.put(entry.getKey(), valueOf(entry.getValue().type, entry.getValue().name));
        }
        return values;
    }

    static List<JsonNode> headers() {
        List<JsonNode> cases = new ArrayList<>();
        for (String clientId : new String[] {"client-ü", "", null}) {
            RequestHeaderData data = new RequestHeaderData()
                .setRequestApiKey((short) 11).setRequestApiVersion((short) 9).setCorrelationId(123456789).setClientId(clientId);
            for (short version = 1; version <= 2; version++) {
                ObjectNode node = Golden.JSON.createObjectNode().put("direction", "request").put("version", version).put("clientId", clientId);
                cases.add(node.put("hex", Golden.hex(bytesOf(data, version))));
            }
        }
        for (short version = 0; version <= 1; version++) {
            ObjectNode node = Golden.JSON.createObjectNode().put("direction", "response").put("version", version);
            cases.add(node.put("hex", Golden.hex(bytesOf(new ResponseHeaderData().setCorrelationId(123456789), version))));
        }
        return cases;
    }

    static List<JsonNode> consumerProtocol() {
        List<JsonNode> cases = new ArrayList<>();
        List<TopicPartition> owned = List.of(new TopicPartition("a", 0), new TopicPartition("a", 7), new TopicPartition("b", 1));
        for (short version = 0; version <= 3; version++) {
            for (boolean full : new boolean[] {true, false}) {
                ByteBuffer userData = full ? ByteBuffer.wrap(new byte[] {9, 8, 7}) : null;
                Subscription subscription = new Subscription(
                    List.of("a", "b"), userData, full ? owned : List.of(), full ? 42 : -1, full ? Optional.of("rack-1") : Optional.empty());
                Assignment assignment = new Assignment(full ? owned : List.of(), userData);
                cases.add(protocolCase("subscription", version, full, ConsumerProtocol.serializeSubscription(subscription, version)));
                cases.add(protocolCase("assignment", version, full, ConsumerProtocol.serializeAssignment(assignment, version)));
            }
        }
        return cases;
    }

    private static JsonNode protocolCase(String kind, short version, boolean full, ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return Golden.JSON.createObjectNode().put("kind", kind).put("version", version)
            .put("content", full ? "full" : "sparse").put("hex", Golden.hex(bytes));
    }

    static List<JsonNode> errorCodes() {
        List<JsonNode> cases = new ArrayList<>();
        for (Errors error : Errors.values()) cases.add(Golden.JSON.createObjectNode().put("code", error.code()).put("name", error.name()));
        return cases;
    }
}
