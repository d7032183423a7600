"""The messages of pprof and of OpenTelemetry's profiles, as classes of the package protobuf.

Declared here by their published field numbers, as far as memtrace has something for them, in a pool of their own: nothing
is generated, and nothing clashes with what a program has registered. pprof:
https://github.com/google/pprof/blob/main/proto/profile.proto. OpenTelemetry: opentelemetry/proto/profiles/v1development.
Importing raises ImportError where protobuf is not installed.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

__all__ = ["DecodeError", "PprofProfile", "ProfilesData"]

_PPROF = {
    # Texts as bytes: those of other profilers need not be UTF-8.
    "Profile": "1 sample_type* ValueType, 2 sample* Sample, 3 mapping* Mapping, 4 location* Location, "
    "5 function* Function, 6 string_table* bytes, 10 duration_nanos int64, 11 period_type ValueType, 12 period int64, "
    "13 comment* int64, 14 default_sample_type int64",
    "ValueType": "1 type int64, 2 unit int64",
    "Sample": "1 location_id* uint64, 2 value* int64, 3 label* Label",
    "Label": "1 key int64, 2 str int64, 3 num int64",
    "Mapping": "1 id uint64, 5 filename int64, 7 has_functions bool, 8 has_filenames bool, 9 has_line_numbers bool",
    "Location": "1 id uint64, 2 mapping_id uint64, 3 address uint64, 4 line* Line",
    "Line": "1 function_id uint64, 2 line int64, 3 column int64",
    "Function": "1 id uint64, 2 name int64, 3 system_name int64, 4 filename int64",
}
_OTLP = {
    "ProfilesData": "1 resource_profiles* ResourceProfiles, 2 dictionary ProfilesDictionary",
    "ResourceProfiles": "1 resource Resource, 2 scope_profiles* ScopeProfiles",
    "Resource": "1 attributes* KeyValue",
    "KeyValue": "1 key string, 2 value AnyValue",
    "AnyValue": "1 string_value string",
    "ScopeProfiles": "1 scope InstrumentationScope, 2 profiles* Profile",
    "InstrumentationScope": "1 name string",
    "Profile": "1 sample_type ValueType, 2 samples* Sample, 4 duration_nano uint64, 5 period_type ValueType, "
    "6 period int64, 7 profile_id bytes",
    "ValueType": "1 type_strindex int32, 2 unit_strindex int32",
    "Sample": "1 stack_index int32, 2 attribute_indices* int32, 4 values* int64",
    "ProfilesDictionary": "1 mapping_table* Mapping, 2 location_table* Location, 3 function_table* Function, "
    "4 link_table* Link, 5 string_table* string, 6 attribute_table* KeyValueAndUnit, 7 stack_table* Stack",
    "Mapping": "",
    "Location": "3 lines* Line",
    "Line": "1 function_index int32, 2 line int64, 3 column int64",
    "Function": "1 name_strindex int32, 3 filename_strindex int32",
    "Link": "",
    "KeyValueAndUnit": "1 key_strindex int32, 2 value AnyValue",
    "Stack": "1 location_indices* int32",
}


def _classes(package: str, messages: dict[str, str]) -> dict[str, Any]:
    """Return the classes of *messages*: their fields, ``*`` for repeated ones, by name."""
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, field, kind in (text.split() for text in fields.split(",") if text):
            repeated = field.endswith("*")
            label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
            described = message.field.add(name=field.rstrip("*"), number=int(number), label=label)
            if kind in messages:
                described.type = FieldDescriptorProto.TYPE_MESSAGE
                described.type_name = f".{package}.{kind}"
            else:
                described.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


PprofProfile: Any = _classes("perftools.profiles", _PPROF)["Profile"]
ProfilesData: Any = _classes("opentelemetry.proto.profiles.v1development", _OTLP)["ProfilesData"]
