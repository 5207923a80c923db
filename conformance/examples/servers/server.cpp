// A program that speaks the wire format, written from conformance/PROTOCOL.md: convolution, max pooling and their
// derivatives for 1 to 3 axes, in plain loops.
//
//   g++ -std=c++17 -O2 conformance/examples/servers/server.cpp -o server
//   cnn-conformance run "cmd:./server"

#include <unistd.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using std::string;
using std::vector;

// JSON, as much of it as the wire format uses.

struct Value {
    enum { null, number, text, list, object } kind = null;
    long integer = 0;
    string words;
    vector<Value> items;
    std::map<string, Value> members;

    const Value& operator[](const string& name) const { return members.at(name); }
    const Value& operator[](size_t at) const { return items.at(at); }
};

class Parser {
    const string& text;
    size_t at = 0;

    char next() {
        while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
        return text.at(at);
    }

    string words() {
        string found;
        for (++at; text.at(at) != '"'; ++at) {
            if (text[at] == '\\') ++at;  // the format's own strings hold \" and \\ at most
            found += text.at(at);
        }
        ++at;
        return found;
    }

    Value constant(const char* spelt, long integer, bool is_null = false) {
        at += std::strlen(spelt);
        Value value;
        value.kind = is_null ? Value::null : Value::number;
        value.integer = integer;
        return value;
    }

   public:
    explicit Parser(const string& given) : text(given) {}

    Value value() {
        Value found;
        switch (next()) {
            case '{':
                found.kind = Value::object;
                for (++at; next() != '}';) {
                    string name = words();
                    next(), ++at;  // the colon
                    found.members[name] = value();
                    if (next() == ',') ++at, next();
                }
                ++at;
                return found;
            case '[':
                found.kind = Value::list;
                for (++at; next() != ']';) {
                    found.items.push_back(value());
                    if (next() == ',') ++at;
                }
                ++at;
                return found;
            case '"':
                found.kind = Value::text;
                found.words = words();
                return found;
            case 't': return constant("true", 1);
            case 'f': return constant("false", 0);
            case 'n': return constant("null", 0, true);
        }
        size_t length;
        found.kind = Value::number;
        found.integer = std::stol(text.substr(at), &length);
        at += length;
        return found;
    }
};

void require(bool fits, const char* words) {
    if (!fits) throw std::invalid_argument(words);
}

// Arrays of any number of axes, seen as five: batch, channels and three spatial ones, of which missing ones are 1.

using Shape = vector<long>;

long size_of(const Shape& shape) {
    long product = 1;
    for (long n : shape) product *= n;
    return product;
}

Shape as_five(const Shape& shape) {
    require(shape.size() >= 3 && shape.size() <= 5, "images have one to three spatial axes");
    Shape five(shape.begin(), shape.begin() + 2);
    five.insert(five.end(), 5 - shape.size(), 1);
    five.insert(five.end(), shape.begin() + 2, shape.end());
    return five;
}

template <class T>
struct Array {
    Shape shape;  // as it is on the wire
    vector<T> data;

    explicit Array(Shape given) : shape(std::move(given)), data(size_of(shape)) {}
};

struct Axis {
    long input, kernel, stride = 1, before = 0, after = 0, dilation = 1, output = 1;

    long source(long at, long cell) const { return at * stride + cell * dilation - before; }
    bool holds(long place) const { return place >= 0 && place < input; }
};

// The spatial axes of a call, with their sizes after it.
vector<Axis> axes_of(const Value& said, const Shape& x, const Shape& kernel) {
    size_t rank = x.size() - 2;
    require(kernel.size() == rank, "the kernel has as many axes as the images");
    vector<Axis> axes(3 - rank, Axis{1, 1});
    for (size_t i = 0; i < rank; ++i) {
        Axis a{x[i + 2], kernel[i], said["stride"][i].integer, said["padding"][i][0].integer,
               said["padding"][i][1].integer, said["dilation"][i].integer};
        require(a.kernel >= 1 && a.stride >= 1 && a.dilation >= 1, "kernel, stride and dilation are at least 1");
        long room = a.input + a.before + a.after - a.dilation * (a.kernel - 1) - 1;
        require(room >= 0, "the kernel is larger than the padded input");
        a.output = room / a.stride + 1;
        bool ceil_mode = said.members.count("ceil_mode") && said["ceil_mode"].integer;
        if (ceil_mode && room % a.stride && a.output * a.stride < a.input + a.before) ++a.output;
        axes.push_back(a);
    }
    return axes;
}

Shape output_shape(long batch, long channels, const vector<Axis>& axes, size_t rank) {
    Shape shape{batch, channels};
    for (size_t i = 3 - rank; i < 3; ++i) shape.push_back(axes[i].output);
    return shape;
}

// Call visit(output, cell, input) with flat spatial positions, for each tap that lies on the input.
template <class Visit>
void each_tap(const vector<Axis>& axes, Visit visit) {
    const Axis &a = axes[0], &b = axes[1], &c = axes[2];
    long output = 0;
    for (long i = 0; i < a.output; ++i)
        for (long j = 0; j < b.output; ++j)
            for (long k = 0; k < c.output; ++k, ++output) {
                long cell = 0;
                for (long p = 0; p < a.kernel; ++p)
                    for (long q = 0; q < b.kernel; ++q)
                        for (long r = 0; r < c.kernel; ++r, ++cell) {
                            long u = a.source(i, p), v = b.source(j, q), w = c.source(k, r);
                            if (a.holds(u) && b.holds(v) && c.holds(w))
                                visit(output, cell, (u * b.input + v) * c.input + w);
                        }
            }
}

template <class T>
struct Call {
    Value said;  // parameters, and arguments that are no tensors
    std::map<string, Array<T>> tensors;

    const Array<T>& operator[](const string& name) const {
        require(tensors.count(name), "an array is missing");
        return tensors.at(name);
    }
};

template <class T>
using Results = vector<std::pair<string, Array<T>>>;

// Call visit(output, weight, input) with flat indices, for each product of a convolution.
template <class T, class Visit>
Shape convolve(const Call<T>& call, Visit visit) {
    const Shape &x = call["x"].shape, &w = call["w"].shape;
    Shape images = as_five(x);
    long groups = call.said["groups"].integer, filters = w.at(0), depth = w.at(1);
    auto axes = axes_of(call.said, x, Shape(w.begin() + 2, w.end()));
    require(groups >= 1 && images[1] == depth * groups && filters % groups == 0, "the channels do not fit");
    Shape y = output_shape(x[0], filters, axes, x.size() - 2);
    long outputs = size_of(Shape(y.begin() + 2, y.end())), inputs = images[2] * images[3] * images[4];
    long cells = size_of(Shape(w.begin() + 2, w.end()));
    for (long n = 0; n < x[0]; ++n)
        for (long f = 0; f < filters; ++f)
            for (long c = 0; c < depth; ++c) {
                long channel = f / (filters / groups) * depth + c;
                each_tap(axes, [&](long output, long cell, long input) {
                    visit((n * filters + f) * outputs + output, (f * depth + c) * cells + cell,
                          (n * images[1] + channel) * inputs + input);
                });
            }
    return y;
}

template <class T>
Results<T> conv(const Call<T>& call) {
    const auto &x = call["x"], &w = call["w"];
    Array<T> y(convolve(call, [](long, long, long) {}));
    bool biased = call.tensors.count("b");
    if (biased) require(call["b"].shape == Shape{w.shape[0]}, "one bias for each filter");
    long plane = y.data.empty() ? 1 : size_of(Shape(y.shape.begin() + 2, y.shape.end()));
    for (size_t i = 0; biased && i < y.data.size(); ++i) y.data[i] = call["b"].data[i / plane % w.shape[0]];
    convolve(call, [&](long o, long k, long i) { y.data[o] += w.data[k] * x.data[i]; });
    return {{"y", y}};
}

template <class T>
Results<T> conv_backward(const Call<T>& call) {
    const auto &dy = call["dy"], &x = call["x"], &w = call["w"];
    require(dy.shape == convolve(call, [](long, long, long) {}), "dy has another shape than the result");
    Array<T> dx(x.shape), dw(w.shape), db({w.shape[0]});
    convolve(call, [&](long o, long k, long i) {
        dx.data[i] += dy.data[o] * w.data[k];
        dw.data[k] += dy.data[o] * x.data[i];
    });
    long plane = size_of(Shape(dy.shape.begin() + 2, dy.shape.end()));
    for (size_t i = 0; i < dy.data.size(); ++i) db.data[i / plane % w.shape[0]] += dy.data[i];
    return {{"dx", dx}, {"dw", dw}, {"db", db}};
}

// Call visit(output, input) with the flat index of each window's largest element; NaN counts as the largest.
template <class T, class Visit>
Shape select(const Call<T>& call, Visit visit) {
    const auto& x = call["x"];
    Shape images = as_five(x.shape), kernel;
    for (const Value& k : call.said["kernel_size"].items) kernel.push_back(k.integer);
    auto axes = axes_of(call.said, x.shape, kernel);
    Shape y = output_shape(x.shape[0], x.shape[1], axes, x.shape.size() - 2);
    long outputs = size_of(Shape(y.begin() + 2, y.end())), inputs = images[2] * images[3] * images[4];
    for (long plane = 0; plane < images[0] * images[1]; ++plane) {
        vector<long> best(outputs, -1);
        each_tap(axes, [&](long output, long, long input) {
            long at = plane * inputs + input;
            bool first = best[output] < 0;
            if (first || x.data[at] > x.data[best[output]] || x.data[at] != x.data[at]) best[output] = at;
        });
        for (long output = 0; output < outputs; ++output)
            if (best[output] >= 0) visit(plane * outputs + output, best[output]);
    }
    return y;
}

template <class T>
Results<T> max_pool(const Call<T>& call) {
    Array<T> y(select(call, [](long, long) {}));
    select(call, [&](long o, long i) { y.data[o] = call["x"].data[i]; });
    return {{"y", y}};
}

template <class T>
Results<T> max_pool_backward(const Call<T>& call) {
    require(call["dy"].shape == select(call, [](long, long) {}), "dy has another shape than the result");
    Array<T> dx(call["x"].shape);
    select(call, [&](long o, long i) { dx.data[i] += call["dy"].data[o]; });
    return {{"dx", dx}};
}

// The wire: a length, then a safetensors blob: the length of its header, the header, the tensors' bytes.

void read_fully(int from, char* to, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t came = read(from, to + done, size - done);
        if (came <= 0) std::exit(0);
        done += came;
    }
}

uint64_t length_in(const char* bytes) {
    uint64_t length;
    std::memcpy(&length, bytes, sizeof length);  // this machine and the wire are both little-endian
    return length;
}

string as_bytes(uint64_t length) { return string(reinterpret_cast<const char*>(&length), sizeof length); }

void send(int to, const string& fields, const string& tensors, const string& data) {
    string header = "{\"__metadata__\":{" + fields + "}" + tensors + "}";
    header.append((8 - header.size() % 8) % 8, ' ');
    string blob = as_bytes(header.size()) + header + data;
    string message = as_bytes(blob.size()) + blob;
    for (size_t done = 0; done < message.size();) {
        ssize_t went = write(to, message.data() + done, message.size() - done);
        if (went <= 0) std::exit(1);
        done += went;
    }
}

string field(const string& name, const string& words) { return "\"" + name + "\":\"" + words + "\""; }

template <class T>
void answer(int to, const Value& header, const string& dtype, const char* data) {
    const Value& fields = header["__metadata__"];
    Call<T> call;
    call.said = Parser(fields["values"].words).value();
    for (const auto& [name, tensor] : header.members) {
        if (name == "__metadata__") continue;
        Shape shape;
        for (const Value& n : tensor["shape"].items) shape.push_back(n.integer);
        Array<T> array(shape);
        if (!array.data.empty())
            std::memcpy(array.data.data(), data + tensor["data_offsets"][0].integer, array.data.size() * sizeof(T));
        call.tensors.emplace(name, array);
    }
    string name = fields["function"].words, id = field("id", fields["id"].words);
    bool backward = name.size() > 9 && name.substr(name.size() - 9) == "_backward";
    Results<T> results;
    try {
        if (name[0] == 'c')
            results = backward ? conv_backward(call) : conv(call);
        else
            results = backward ? max_pool_backward(call) : max_pool(call);
    } catch (const std::exception& error) {
        send(to, id + "," + field("raised", error.what()), "", "");
        return;
    }
    string names, tensors, bytes;
    for (const auto& [result, array] : results) {
        names += (names.empty() ? "" : " ") + result;
        string shape;
        for (long n : array.shape) shape += (shape.empty() ? "" : ",") + std::to_string(n);
        size_t first = bytes.size();
        bytes.append(reinterpret_cast<const char*>(array.data.data()), array.data.size() * sizeof(T));
        tensors += ",\"" + result + "\":{" + field("dtype", dtype) + ",\"shape\":[" + shape +
                   "],\"data_offsets\":[" + std::to_string(first) + "," + std::to_string(bytes.size()) + "]}";
    }
    send(to, id + "," + field("results", names), tensors, bytes);
}

int main() {
    int from = std::atoi(std::getenv("CNN_CONFORMANCE_READ")), to = std::atoi(std::getenv("CNN_CONFORMANCE_WRITE"));
    string functions;
    for (const char* rank : {"1d", "2d", "3d"})
        for (const char* name : {"conv", "max_pool"})
            functions += (functions.empty() ? "" : " ") + (string(name) + rank) + " " + name + rank + "_backward";
    string about = "{\\\"name\\\": \\\"a server in C++\\\"}";
    send(to, field("protocol", "1") + "," + field("functions", functions) + "," + field("about", about), "", "");
    for (;;) {
        char length[8];
        read_fully(from, length, 8);
        vector<char> blob(length_in(length));
        read_fully(from, blob.data(), blob.size());
        size_t size = length_in(blob.data());
        Value header = Parser(string(blob.data() + 8, size)).value();
        string dtype = header["x"]["dtype"].words;
        if (dtype == "F32")
            answer<float>(to, header, dtype, blob.data() + 8 + size);
        else
            answer<double>(to, header, dtype, blob.data() + 8 + size);
    }
}
