"""A policy trained on a few rules: replies, a condition, a form that can be interrupted."""

from pathlib import Path

from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.training import load_data
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain

DOMAIN = """
version: "3.1"
intents: [greet, price, call, stop]
slots:
  number:
    type: text
    mappings: [{type: from_text, conditions: [{active_loop: call_form}]}]
  member: {type: bool, mappings: [{type: custom}]}
forms:
  call_form: {required_slots: [number]}
responses:
  utter_greet: [{text: Hello.}]
  utter_welcome: [{text: Welcome.}]
  utter_price: [{text: We do not say.}]
  utter_member: [{text: Nice to see you again.}]
  utter_done: [{text: Done.}]
actions: [action_record]
"""

RULES = """
version: "3.1"
rules:
- rule: welcome
  conversation_start: true
  steps:
  - intent: greet
  - action: utter_welcome
- rule: price
  steps:
  - intent: price
  - action: utter_price
  - action: action_record
- rule: members
  condition:
  - slot_was_set: [{member: true}]
  steps:
  - intent: greet
  - action: utter_member
- rule: begin the form
  steps:
  - intent: call
  - action: call_form
  - active_loop: call_form
- rule: a question while the form is open
  condition:
  - active_loop: call_form
  steps:
  - intent: price
  - action: utter_price
  - action: call_form
  - active_loop: call_form
- rule: stop the form
  condition:
  - active_loop: call_form
  steps:
  - intent: stop
  - action: action_deactivate_loop
  - active_loop: null
  - action: utter_done
- rule: end the form
  condition:
  - active_loop: call_form
  steps:
  - action: call_form
  - active_loop: null
  - slot_was_set: [{requested_slot: null}]
  - action: utter_done
"""


def trained_policy(folder: Path, domain_text: str = DOMAIN, rules: str = RULES) -> tuple[RulePolicy, Domain]:
    """The policy and its domain; `folder` is for its files."""
    (folder / "rules.yml").write_text(rules)
    (folder / "model").mkdir()
    domain = Domain.from_yaml(domain_text)
    policy = RulePolicy(
        RulePolicy.get_default_config(),
        LocalModelStorage.create(folder / "model"),
        Resource("rules"),
        ExecutionContext(GraphSchema({})),
    )
    policy.train(load_data(str(folder / "rules.yml"), domain, augmentation_factor=0), domain)
    return policy, domain
