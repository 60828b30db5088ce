"""The texts of messages in Spanish, with the keys and braces of `english.py`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "key_refused": (
        "OpenAI rechaza la clave, por lo que fallan todas las llamadas",
        "cree una nueva",
    ),
    "balance_gone": (
        "se agotó el crédito de la organización {organization} de OpenAI; fallan las llamadas de todos sus proyectos",
        "añada crédito en Billing, en la configuración de la organización en OpenAI",
    ),
    "organization_spend_limit": (
        "la organización {organization} de OpenAI alcanzó el límite de gasto que fijó su propietario; todo falla",
        "suba el límite de gasto de la organización en OpenAI, o espere al mes siguiente (UTC)",
    ),
    "organization_usage_limit": (
        "la organización {organization} de OpenAI alcanzó el límite de uso que aprobó OpenAI; fallan las llamadas",
        "pida a OpenAI un límite de uso mayor en Limits, en la configuración de la organización",
    ),
    "quota_unnamed": (
        "OpenAI responde que la cuota está agotada y no dice cuál",
        "revise el saldo y los límites de la organización en OpenAI",
    ),
    "project_spend_limit": (
        "el proyecto alcanzó su límite de gasto en OpenAI; sus llamadas fallan hasta el mes siguiente (UTC)",
        "suba budget.monthly_usd en tenants/{tenant}.yaml y despliéguelo",
    ),
    "limit_raised_waiting": (
        "se subió el límite de gasto y OpenAI aún no lo aplica en todas partes",
        "espere; OpenAI no da un plazo",
    ),
    "rate_limited": (
        "las llamadas toparon con el límite de frecuencia en dos de tres revisiones",
        "suba rate_limits en tenants/{tenant}.yaml y despliéguelo",
    ),
    "country_refused": (
        "OpenAI rechaza llamadas desde este país o región",
        "revise desde dónde salen las llamadas: la celda {cell} llama desde su región de AWS",
    ),
    "address_refused": (
        "una lista de direcciones IP permitidas de la organización o del proyecto rechaza la dirección de origen",
        "añada la dirección a la lista en la configuración de OpenAI, o quite la lista",
    ),
    "tier_refused": (
        "el proyecto no puede usar el nivel de servicio solicitado",
        "permita el nivel en la configuración del proyecto en OpenAI",
    ),
    "scopes_missing": (
        "a la clave le falta un permiso que necesitan las llamadas a modelos",
        "revise `permission` en tenants/{tenant}.yaml y cree una clave nueva",
    ),
    "models_hidden": (
        "la clave no puede listar modelos; no se ve si se ofrecen",
        "nada, si las llamadas funcionan; una clave con el permiso api.model.read los mostraría",
    ),
    "model_not_allowed": (
        "OpenAI ofrece el modelo {subject}, pero no a este proyecto",
        "permita el modelo en la configuración del proyecto en OpenAI, o quítelo de tenants/{tenant}.yaml y despliegue",
    ),
    "model_retiring": (
        "OpenAI retira el modelo {subject} el {date} (días restantes: {days}){replacement}",
        "cambie `models` en tenants/{tenant}.yaml y despliéguelo",
    ),
    "model_retired": (
        "OpenAI retiró el modelo {subject}: sus llamadas fallan{replacement}",
        "cambie `models` en tenants/{tenant}.yaml y despliéguelo",
    ),
    "openai_silent": (
        "OpenAI no responde: {unanswered} de {asked} llamadas quedaron sin respuesta. No se conoce el estado de claves "
        "y modelos",
        "nada aquí: https://status.openai.com muestra el estado de OpenAI",
    ),
    "budget_reached": (
        "se gastó el {percent} % del presupuesto del mes: {spent} de {budget} USD, {share} %, sin impuestos",
        "si es correcto, suba budget.monthly_usd en tenants/{tenant}.yaml y despliéguelo",
    ),
    "budget_forecast": (
        "el mes terminará entre {low} y {high} USD sin impuestos, por encima del presupuesto de {budget} USD",
        "si es correcto, suba budget.monthly_usd en tenants/{tenant}.yaml y despliéguelo",
    ),
    "limit_drift": (
        "OpenAI tiene {limit} distinto del archivo del inquilino: {actual} allí, {declared} en el archivo",
        "despliéguelo con --refresh, lo que lo restaura; si es correcto, escríbalo antes en tenants/{tenant}.yaml",
    ),
    "key_expiring": (
        "la clave caduca a las {expires} y no fue reemplazada (horas restantes: {hours})",
        "cree una nueva",
    ),
    "rotation_late": ("la rotación está atrasada", "rote ahora"),
    "person_owned_key": (
        "la clave pertenece a una persona y termina con su acceso",
        "pida una clave de una cuenta de servicio y guárdela",
    ),
    "token_refused": (
        "el inquilino no tiene clave, y AWS u OpenAI rechaza su token",
        "despliéguelo con --refresh, lo que restablece su regla de federación; docs/credentials.md dice más",
    ),
    "secret_left": (
        "el inquilino ya no necesita una clave, pero su secreto sigue allí",
        "complete el cambio",
    ),
    "identity_missing": (
        "el inquilino no tiene clave, ni identidad para obtener tokens",
        "despliéguelo con --refresh",
    ),
    "secret_missing": ("el inquilino está declarado, pero no tiene secreto", "despliéguelo, o quite su archivo"),
    "secret_deleting": (
        "el inquilino está declarado, pero está programada la eliminación de su secreto",
        "restáurelo, o quite el archivo del inquilino",
    ),
    "undeclared": ("hay un secreto de un inquilino que no está declarado", "restaure su archivo, o delo de baja"),
    "handover_due": (
        "{subject} aún no tiene la clave actual del inquilino{old_ends}",
        "entregue la clave: toma un minuto",
    ),
    "handover_doubted": (
        "se confirmó la clave nueva para {subject} a las {since}, pero la anterior se sigue usando, la última vez a "
        "las {used}{old_ends}",
        "entregue otra vez la clave nueva: quizá se pegó otra clave, o no se guardó",
    ),
    "handover_last_day": (
        "la clave que tiene {subject} termina en menos de un día, el {ends}, y no se entregó la nueva",
        "entregue la clave nueva ahora: después {subject} no funciona",
    ),
    "handover_missed": (
        "la clave anterior terminó y no se entregó la nueva: {subject} no funciona si estaba conectado",
        "entregue la clave nueva ahora",
    ),
    "country_dropped": (
        "OpenAI ya no ofrece su API en {country}",
        "atienda al inquilino desde otro lugar, o desactívelo",
    ),
}

WORDS: Final = {
    "started": "Problema",
    "worse": "Empeora",
    "ended": "Resuelto",
    "reminder": "Recordatorio",
    "tenant": "inquilino",
    "tenants": "inquilinos",
    "organization": "organización",
    "cell": "celda",
    "what": "Qué",
    "whose": "De quién",
    "since": "Desde",
    "until": "hasta",
    "do": "Qué hacer",
    "type": "Escriba",
    "page": "Página",
    "nothing": "nada, ya terminó",
    "ask": "pídalo al cliente: solo él puede cambiarlo en OpenAI",
    "ask_key": "pida al cliente una clave nueva de una cuenta de servicio y guárdela",
    "more": "y {count} más",
    "none": "ninguno",
    "not_known": "(de id desconocido)",
    "of_first": "valores de {tenant}",
    "spend limit": "un límite de gasto",
    "models": "un conjunto de modelos",
    "requests/min": "un número de solicitudes por minuto para {model}",
    "tokens/min": "un número de tokens por minuto para {model}",
    "us": "nuestro",
    "customer": "del cliente",
    "openai": "de OpenAI",
    "old_ends": ". La anterior termina a más tardar el {ends}",
    "replacement": "; OpenAI nombra {replacement} en su lugar",
    "price": " ({input_usd} USD de entrada, {output_usd} USD de salida por millón de tokens{price_age})",
    "price_age": "; precios del {prices_as_of}, de hace más de 90 días",
}
